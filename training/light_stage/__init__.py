"""Light stage: renders dynamic one-light-at-a-time portraits (the recipe of NVPR, ICCV 2021, with rendered people)."""
