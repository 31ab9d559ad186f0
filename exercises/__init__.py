"""The checks of the exercises: `check_...(answer)`, and `progress` for their number.

`questions` says what each exercise asks and accepts, `checking` how it is judged.
"""

from exercises.checking import progress as progress
from exercises.questions import *  # noqa: F403
