"""The look-up of a customer: who may look, what is seen, what is logged, and from where the rows come."""
