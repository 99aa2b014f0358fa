"""Golden LP files: one for each rule of the model, as Pyomo's own writer puts it."""
