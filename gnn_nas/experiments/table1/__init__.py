"""The paper's Table 1: pretraining losses compared by what the search finds with them."""
