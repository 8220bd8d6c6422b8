"""Pictures of a sound and of what was found in it: waveform with beats and onsets, spectrogram, chroma, tempogram."""
