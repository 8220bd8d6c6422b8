"""What file names say: a table of how makers write them, and of what must not be believed."""

from __future__ import annotations

import pytest

from workers.audio.names import read_name

TEMPO = [
    # Splice
    ("SM_NP_100_electric_guitar_baby_Dmaj.wav", 100),
    ("FF_MT_90_pad_angel_Cmin.wav", 90),
    ("SC_DH_drum_loop_125_full.wav", 125),
    ("KSHMR_Full_Drum_Loop_128.wav", 128),
    ("OS_NC_124_Am_Pad.wav", 124),
    ("FL_LT_92_synth_loop_C#min.wav", 92),
    ("91V_DPH_110_synth_arp_F#min.wav", 110),
    # Loopmasters and others
    ("DNB_174_Amen_Break_01.wav", 174),
    ("Bass Loop 01 (126bpm) Am.wav", 126),
    ("TL_120bpm_C_TopLoop.wav", 120),
    ("bpm_120_groove.wav", 120),
    ("BPM120 Groove.wav", 120),
    ("Groove Bpm 96.aif", 96),
    ("HipHop 92.5 bpm Drums.wav", 92.5),
    ("House 128 BPM.wav", 128),
    ("120-BPM-Loop.wav", 120),
    ("Techno_Rumble_[132 Bpm].wav", 132),
    ("Ambient 60bpm Dm.flac", 60),
    ("Loop_03_bpm_140.wav", 140),
    ("Shuffle, tempo=85.wav", 85),
    ("DrumLoop 85,5 bpm.wav", 85.5),
    ("Speedcore 280bpm.wav", 280),
    # Ableton, Logic, Freesound
    ("Beat Funk 105.wav", 105),
    ("Drums Loop 98 bpm-1.aif", 98),
    ("120 Drum Loop.wav", 120),
    ("415357__waveplay__loop-120-bpm-drums.wav", 120),
    ("174_Amen_Break.wav", 174),
    ("Melody 140 Gmin.wav", 140),
    ("loops/125bpm/Top 03.wav", 125),
    (r"C:\Packs\128 BPM\Kick Loop A.wav", 128),
    # nothing to be believed
    ("808 Kick.wav", None),
    ("TR-909 Snare 01.wav", None),
    ("707_Clap.wav", None),
    ("Juno-106 Brass.wav", None),
    ("SH 101 Bass.wav", None),
    ("CR-78 Rim.wav", None),
    ("Kick 101.wav", None),
    ("Snare_120.wav", None),
    ("Kick_075.wav", None),
    ("Piano 088.wav", None),
    ("123456__someone__rain.wav", None),
    ("recording 1999-120.wav", None),
    ("Loop_100_128.wav", None),
    ("24bit 96k room.wav", None),
    ("Vocal take 7.wav", None),
    ("bpm.wav", None),
    ("999bpm.wav", None),
    ("", None),
]

KEY = [
    ("SM_NP_100_electric_guitar_baby_Dmaj.wav", "D", "major"),
    ("Bass_Cmin.wav", "C", "minor"),
    ("Lead C_Minor 120.wav", "C", "minor"),
    ("Lead C Minor.wav", "C", "minor"),
    ("pad_c_minor.wav", "C", "minor"),
    ("pad-amin.wav", "A", "minor"),
    ("Pluck A#m.wav", "A#", "minor"),
    ("Pluck_Bbm_120.wav", "A#", "minor"),
    ("Chords Gbmaj7.wav", "F#", "major"),
    ("Chord Dm7.wav", "D", "minor"),
    ("Strings Fmaj.wav", "F", "major"),
    ("Strings E flat major.wav", "D#", "major"),
    ("Strings Csharp minor.wav", "C#", "minor"),
    ("Loop 124 Am Full.wav", "A", "minor"),
    ("Arp_Am.wav", "A", "minor"),
    ("Arp (G#min) 122bpm.wav", "G#", "minor"),
    ("Ebmin_Pad.wav", "D#", "minor"),
    ("Pad Cb major.wav", "B", "major"),
    ("ARTIST_808_gritty_E.wav", "E", None),
    ("ARTIST_808_shiner_A#.wav", "A#", None),
    ("Bass Loop 120 Gb.wav", "F#", None),
    ("TL_120bpm_C_Synth.wav", "C", None),
    ("F#_Pluck.wav", "F#", None),
    ("Vox key of D.wav", "D", None),
    ("Guitar Key=Eb.wav", "D#", None),
    ("Sub 808 - C.wav", "C", None),
    # as DJ programs write it
    ("8A - Some Title.mp3", "A", "minor"),
    ("8B - 128 - Artist - Title.mp3", "C", "major"),
    ("Title [1m].flac", "A", "minor"),
    ("Lead 124bpm 12A.wav", "C#", "minor"),
    ("Pad_01d_120bpm.wav", "C", "major"),
    # nothing to be believed
    ("I Am Legend intro.wav", None, None),
    ("A Day in the Life.wav", None, None),
    ("Plan B rehearsal.wav", None, None),
    ("a minor change.wav", None, None),
    ("Take A.wav", None, None),
    ("Drum Loop 120 B.wav", None, None),
    ("Kick Loop 128 A.wav", None, None),
    ("Be Major Tom.wav", None, None),
    ("Dubstep Growl.wav", None, None),
    ("FM Bass.wav", None, None),
    ("AM Radio.wav", None, None),
    ("Cminus.wav", None, None),
    ("Ambient Damage.wav", None, None),
    ("Edm Lead.wav", None, None),
    ("Noise -3 dB 120bpm.wav", None, None),
    ("Am F C G progression Cmaj to Gmaj.wav", None, None),
    ("Egg Bag Cab Deed.wav", None, None),
    ("E-Piano.wav", None, None),
    ("G Funk lead.wav", None, None),
    ("Loop 3A.wav", None, None),
    ("Take 2B 120bpm.wav", None, None),
    ("Kick 8A 120bpm.wav", None, None),
    ("13A - Title.wav", None, None),
    ("Rain 2m.wav", None, None),
]

NOTE = [
    ("Piano_C3.wav", "C3", 48),
    ("Piano F#2.wav", "F#2", 42),
    ("Bass Bb1.wav", "A#1", 34),
    ("Rhodes-A4-vel80.wav", "A4", 69),
    ("Marimba.G5.wav", "G5", 79),
    ("Kontra C-1.wav", "C-1", 0),
    ("cello_f#3.wav", "F#3", 54),
    ("808_Kick_F#1.wav", "F#1", 30),
    ("Harp Cb4.wav", "B3", 59),
    ("Flute E♭5.wav", "D#5", 75),
    # nothing to be believed
    ("Kick A1.wav", None, None),
    ("loop_b2.wav", None, None),
    ("Glide C3 to G3.wav", None, None),
    ("MP3 test.wav", None, None),
    ("Lead C30.wav", None, None),
    ("ABC3.wav", None, None),
    ("Pad Cmin.wav", None, None),
]


@pytest.mark.parametrize(("name", "bpm"), TEMPO)
def test_reads_the_tempo_that_a_name_states(name: str, bpm: float | None) -> None:
    assert read_name(name).bpm == bpm


@pytest.mark.parametrize(("name", "tonic", "mode"), KEY)
def test_reads_the_key_that_a_name_states(name: str, tonic: str | None, mode: str | None) -> None:
    said = read_name(name)
    assert (said.tonic, said.mode) == (tonic, mode)


@pytest.mark.parametrize(("name", "note", "midi"), NOTE)
def test_reads_the_note_that_a_name_states(name: str, note: str | None, midi: int | None) -> None:
    said = read_name(name)
    assert (said.note, said.midi) == (note, midi)


def test_survives_names_that_are_not_text() -> None:
    name = b"\xff\xfe loop 120bpm \n' \" \xf0\x9f\x8e\xb9.wav".decode("utf-8", "surrogateescape")
    assert read_name(name).bpm == 120


def test_reads_a_hostile_name_in_no_time() -> None:
    for hostile in ("1" * 4000, "C " * 2000, "120 " * 1000, "bpm" * 1300 + "x", "a_minor" * 500):
        read_name(hostile)
