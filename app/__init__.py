"""The page: ``panel serve app``. Opens survey tables, starts no science run."""
