"""Pure text functions of search: headlines, masking, the text that is embedded, terms and their weights."""

from datastorage.search.embedded_text import content_hash, embedded_text, query_text
from datastorage.search.headline import split_headline
from datastorage.search.lexical import LexicalDocument, lexical_document
from datastorage.search.masking import mask_volatile
from datastorage.search.terms import term_number, words

__all__ = [
    "LexicalDocument",
    "content_hash",
    "embedded_text",
    "lexical_document",
    "mask_volatile",
    "query_text",
    "split_headline",
    "term_number",
    "words",
]
