"""X-Synth: from recordings of instruments to the model that plays another sound in their timbre."""
