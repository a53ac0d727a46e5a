"""Stage 5, improving: what makes a network learn more from the rows there are."""
