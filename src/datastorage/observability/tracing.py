"""Traces by OpenTelemetry, the extra `otel`: loaded only where the settings want them. Called by the composition root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from datastorage import __version__
from datastorage.observability.spans import Attributes, Span
from datastorage.observability.trace_context import carrying

PATH = "/v1/traces"
_CONTEXT = TraceContextTextMapPropagator()


class OpenTelemetrySpans:
    """Spans of one provider, which is this object's own: other libraries' are left alone."""

    def __init__(self, processor: SpanProcessor, sampled: float = 1.0) -> None:
        # What the standard variables say of the service comes last, and so wins.
        ours = Resource.create({"service.name": "data-storage-service", "service.version": __version__})
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sampled)),
            resource=ours.merge(OTELResourceDetector().detect()),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("datastorage", __version__)

    @classmethod
    def sending_to(cls, url: str, sampled: float) -> OpenTelemetrySpans:
        """Sends them by OTLP over HTTP, in batches, beside the requests."""
        base = url.rstrip("/")
        exporter = OTLPSpanExporter(endpoint=base if base.endswith(PATH) else base + PATH)
        return cls(BatchSpanProcessor(exporter), sampled)

    @contextmanager
    def request(self, name: str, headers: Mapping[str, str], attributes: Attributes) -> Iterator[Span]:
        """Around a request, within the trace that its headers name, or a new one."""
        parent = _CONTEXT.extract(headers, Context())
        with self._current(name, attributes, SpanKind.SERVER, parent) as span:
            yield span

    @contextmanager
    def within(self, name: str, attributes: Attributes, *, is_call: bool = False) -> Iterator[Span]:
        """Around a part of the work."""
        if not _is_traced():
            yield _NOTHING
            return
        with self._current(name, attributes, SpanKind.CLIENT if is_call else SpanKind.INTERNAL) as span:
            yield span

    def begun(self, name: str, attributes: Attributes) -> Span:
        """A call of something outside, for where its end is seen elsewhere."""
        if not _is_traced():
            return _NOTHING
        return _Span(self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=dict(attributes)))

    def close(self) -> None:
        """Sends what is there."""
        self._provider.shutdown()

    @contextmanager
    def _current(
        self, name: str, attributes: Attributes, kind: SpanKind, parent: Context | None = None
    ) -> Iterator[Span]:
        """Errors pass through without their message, which may hold anything; only their kind is kept."""
        with self._tracer.start_as_current_span(
            name, parent, kind, dict(attributes), record_exception=False, set_status_on_exception=False
        ) as current:
            span, headers = _Span(current), dict[str, str]()
            _CONTEXT.inject(headers)
            try:
                with carrying(headers):
                    yield span
            except BaseException as error:
                span.failed(type(error).__name__)
                raise


class _Span:
    """A span of OpenTelemetry's."""

    __slots__ = ("_span",)

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def trace_id(self) -> str:
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(dict(attributes))

    def failed(self, reason: str) -> None:
        self._span.set_attribute("error.type", reason)
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        self._span.end()


class _NoSpan:
    """Of work that is not traced."""

    trace_id = ""

    def note(self, attributes: Attributes) -> None:
        """Nothing."""

    def failed(self, reason: str) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


_NOTHING = _NoSpan()


def _is_traced() -> bool:
    return trace.get_current_span().get_span_context().is_valid
