"""Planning instances: tables in, arrays on the scenario tree out."""
