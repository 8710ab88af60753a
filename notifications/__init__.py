"""Who is told: rules, deliveries and the transports that carry them."""
