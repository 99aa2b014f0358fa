"""Analyses by re-solving: what-ifs compared, attributed, a given plan priced, the next instance rolled on to."""
