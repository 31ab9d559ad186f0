"""What the notebooks borrow: reading data, drawing it, sharing the series.

Nothing here trains, seeds or prints, and importing it changes nothing. What the series
teaches stands in the notebooks.
"""
