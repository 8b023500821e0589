"""What a figure of the paper is, and its arrays: no file, no screen."""
