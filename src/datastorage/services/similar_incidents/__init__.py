"""Have we seen this before? Incidents that resemble a text or one another, by meaning and by words."""

from datastorage.services.similar_incidents.answer import SimilarIncident, SimilarIncidentsFound
from datastorage.services.similar_incidents.like import find_incidents_like
from datastorage.services.similar_incidents.question import SimilarityQuestion, understood
from datastorage.services.similar_incidents.search import find_similar_incidents, similar_to

__all__ = [
    "SimilarIncident",
    "SimilarIncidentsFound",
    "SimilarityQuestion",
    "find_incidents_like",
    "find_similar_incidents",
    "similar_to",
    "understood",
]
