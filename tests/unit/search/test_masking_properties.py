from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from datastorage.search import mask_volatile

Address = IPv4Address | IPv6Address

PIECES = [
    "code", "exit", "HTTP/1.1", "error", "port", "returned", "ORA", "utf", "east", "web", "x2x4z", "bcdfg", "https",
    "7d9f8b6c5d", "deadbeef12", "0", "137", "443", "48000", "1.2.3", "1.5", "10.0.0.1:443", "fe80::1", "a1", "::",
    "vmss000001", "v1", "2024-05-01", "2024-05-01T10:22:31Z", "10:22:31", "AM", "Nov", "23", "30s", "1m30.5s", "0x1f",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "02:42:ac:11:00:02", "é", "码", "٣", "²", "#", "12/Jul/2024", "TLS", "Wed",
]  # fmt: skip
JOINTS = ["-", "_", ":", " ", ".", "/", ",", "", "]", "[", "(", "@", "#", "=", "\n", "%", "+", '"']
near_tokens = st.lists(st.sampled_from(PIECES + JOINTS), max_size=14).map("".join)
SUFFIX_CHARS = "bcdfghjklmnpqrstvwxz2456789"
WORDS = {"btrfs", "grpcs", "html5", "http2", "https", "mssql", "nfsv4", "pgsql", "tmpfs", "xhtml"}

texts = st.one_of(near_tokens, st.text(), st.text(alphabet="0189afXZ:.-_# /[", max_size=40))


@given(texts)
@settings(max_examples=1_000, deadline=None)
@example("a1:123:b2")
@example("a-10:5-bcdfg")
@example("10.0.0.1:2024-05-01")
@example("v1.503.deadbeef12")
@example("0-httpsvmss000001")
def test_masking_twice_changes_nothing(text: str) -> None:
    masked = mask_volatile(text)
    assert mask_volatile(masked) == masked


@given(texts)
@settings(deadline=None)
def test_masked_text_is_one_line_and_never_longer(text: str) -> None:
    masked = mask_volatile(text)
    assert len(masked) <= len(text)
    assert masked == " ".join(masked.split())


@given(st.integers(min_value=0), st.integers(min_value=0))
@settings(deadline=None)
def test_a_number_without_a_label_never_shows(one: int, other: int) -> None:
    assert mask_volatile(f"worker {one} lost its lease") == mask_volatile(f"worker {other} lost its lease")


# Without any digit an IPv6 address reads like a C++ name, and stays.
addresses = st.ip_addresses().filter(lambda address: any(map(str.isdigit, str(address))))


@given(st.uuids(), addresses, st.datetimes())
@settings(deadline=None)
def test_ids_addresses_and_moments_never_show(uid: UUID, address: Address, moment: datetime) -> None:
    text = f"{moment} volume pvc-{uid} at [{address}] is gone"
    assert mask_volatile(text) == "# volume pvc-# at [#] is gone"


@given(
    st.text(alphabet=SUFFIX_CHARS, min_size=8, max_size=10),
    st.text(alphabet=SUFFIX_CHARS, min_size=5, max_size=5).filter(lambda suffix: suffix not in WORDS),
)
@settings(deadline=None)
def test_a_pod_is_known_by_its_deployment(template_hash: str, suffix: str) -> None:
    assert mask_volatile(f"pod order-api-{template_hash}-{suffix} is gone") == "pod order-api-# is gone"
