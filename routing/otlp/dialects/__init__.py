"""One small pure mapper per dialect of trace attributes: `read(span) -> Found | None`.

None says that the span holds nothing of the dialect. A mapper never raises over a value of an
unexpected type: the value stays in the span's raw attributes and the field stays empty.
"""
