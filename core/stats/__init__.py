"""Pure statistics: numpy and scipy in, plain values out. Nothing here knows Django or the domain.

A reading order: `intervals` (the Estimate that every page shows), `agreement`, `consensus`,
`weighted` (what labels say), `binomial`, `eprocess`, `cusum`, `paired` (what may be decided).
"""
