"""From raw rows to the parts that a model learns from, and to what is to be known of them."""
