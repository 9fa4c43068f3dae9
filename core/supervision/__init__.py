"""One process that keeps the others running: web, worker, beat and the embedded services."""
