"""The page of one call: its problems, lanes, tables, sound; and what is left of them without words."""
