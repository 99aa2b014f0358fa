"""Properties that hold for every instance: agreement with a second implementation, and metamorphic relations."""
