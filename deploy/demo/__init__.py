"""Demo: the whole mission on this machine, from synthetic people to a person's plan. `__main__` tells the story."""
