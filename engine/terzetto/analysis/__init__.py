"""What lies in music and sound: classes, dictionaries, composers."""
