"""Who judges: processes beside this one, each watched over, or those of a cluster."""
