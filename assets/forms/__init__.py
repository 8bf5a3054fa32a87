"""Forms of assets and of what happens to them. They read what people type; the verbs decide."""
