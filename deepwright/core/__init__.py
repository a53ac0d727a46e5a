"""The core: the types that every stage speaks in, and the rules they carry."""
