"""Stats: what the dataset holds, who it is about, and what it cost."""
