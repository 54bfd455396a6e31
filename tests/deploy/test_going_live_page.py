"""The commands of docs/ for a cluster name what the manifests make. None of them was run on one."""

import re

from support.manifests import SERVICE, rendered
from support.quoted import PAGES

KUBECTL = "\n".join(
    line for page in PAGES for line in page.read_text().splitlines() if re.search(r"\bkubectl\b", line)
)
KINDS = {
    "deploy": "Deployment",
    "deployment": "Deployment",
    "job": "Job",
    "service": "Service",
    "cluster": "Cluster",
}


def test_what_they_name_is_there() -> None:
    made = {(each["kind"], each["metadata"]["name"]) for each in rendered("production").objects}
    named = {
        (KINDS[kind], name)
        for kind, name in re.findall(
            r"\b(deploy|deployment|job|service|cluster)[/ ](data-storage[\w-]*)", KUBECTL
        )
    }

    assert {kind for kind, _ in named} == set(KINDS.values())
    assert named - made == set()


def test_they_speak_of_the_namespace_the_label_and_the_account_that_are_there() -> None:
    manifests = rendered("production")
    deployment = manifests.one("Deployment")
    place = deployment["metadata"]["namespace"]
    account = deployment["spec"]["template"]["spec"]["serviceAccountName"]

    assert set(re.findall(r"kubectl -n ([\w-]+)", KUBECTL)) == {place}
    assert set(re.findall(r"-l app=([\w-]+)", KUBECTL)) == {SERVICE}
    assert deployment["spec"]["template"]["metadata"]["labels"]["app"] == SERVICE
    assert set(re.findall(r"--as=system:serviceaccount:([\w:-]+)", KUBECTL)) == {f"{place}:{account}"}
    assert manifests.of("ScheduledBackup") != []
