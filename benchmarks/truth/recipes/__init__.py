"""All recipes: each module of this package has a tuple RECIPES."""
