"""What the notebooks borrow: reading data, drawing it, checking answers, sharing.

Nothing here trains a model. What the series teaches stands in the notebooks.
"""
