"""The commands of ``gwplan``, one a file; each imports its work when it is called."""
