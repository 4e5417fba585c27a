import sys
from pathlib import Path

# bench/ is no part of the installed package.
sys.path.append(str(Path(__file__).parents[2]))
