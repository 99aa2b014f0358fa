"""Every name that the product knows: tables and columns, sheets, tables of a plan."""
