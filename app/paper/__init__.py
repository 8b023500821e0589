"""Figures fit for print: the same arrays as on the screen, drawn by matplotlib. Knows neither panel nor bokeh."""
