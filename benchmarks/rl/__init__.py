"""Agents, policies of texts and GANs that are really trained, with and without a fault, as logs of known truth."""
