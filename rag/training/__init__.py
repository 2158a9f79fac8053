"""How the shipped reader's weights are made: data, loop, export, calibration. Needs torch."""
