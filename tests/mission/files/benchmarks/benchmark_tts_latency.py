"""Latence de la première syllabe, voix par voix."""

import argparse
import time

from TTS.loader import load_tts

VOICES = ("siwis", "upmc", "tom")


def first_chunk_ms(voice):
    handler = load_tts(voice, gpu_device_index=1)
    started = time.perf_counter()
    next(iter(handler.stream("Un, deux, trois.")))
    return (time.perf_counter() - started) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("voices", nargs="*", default=VOICES)
    for voice in parser.parse_args().voices:
        print(f"{voice:>8} {first_chunk_ms(voice):7.1f} ms")


if __name__ == "__main__":
    main()
