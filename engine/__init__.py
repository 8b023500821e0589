"""The science of Glocal: arrays in, arrays out. Opens no file, draws nothing, prints nothing."""
