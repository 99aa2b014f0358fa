"""One HTML page that tells a plan, a comparison or a sweep."""
