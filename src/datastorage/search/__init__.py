"""Pure text functions of similarity search: headlines, masking, the text that is embedded."""

from datastorage.search.embedded_text import content_hash, embedded_text, query_text
from datastorage.search.headline import split_headline
from datastorage.search.masking import mask_volatile

__all__ = ["content_hash", "embedded_text", "mask_volatile", "query_text", "split_headline"]
