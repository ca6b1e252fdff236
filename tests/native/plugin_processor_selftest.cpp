// SPDX-License-Identifier: GPL-3.0-or-later
// The JUCE adapter on an audio thread: whatever a host brings with a block, nothing is allocated, locked or waited for.
// Needs no display and no engine (none may be installed where TERZETTO_CONFIG_DIR says).
#include "processor.hpp"
#include "realtime_watch.hpp"

#include <cmath>
#include <cstdio>

namespace {

using namespace terzetto::plugin;

int failures = 0;

void expect(bool holds, const char* instrument, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "FAIL %s: %s\n", instrument, what);
    ++failures;
}

class Transport final : public juce::AudioPlayHead {
public:
    juce::Optional<PositionInfo> getPosition() const override {
        PositionInfo position;
        position.setTimeInSamples(at);
        position.setPpqPosition(static_cast<double>(at) / 24000.0);
        position.setBpm(120.0);
        position.setIsPlaying(true);
        return position;
    }
    juce::int64 at = 0;
};

juce::MidiBuffer played(int block) {
    juce::MidiBuffer midi;
    for (int i = 0; i < 40; ++i) {
        midi.addEvent(juce::MidiMessage::noteOn(1 + i % 2, 40 + i, juce::uint8{90}), i);
        midi.addEvent(juce::MidiMessage::noteOff(1 + i % 2, 40 + i), block - 1);
    }
    const juce::uint8 text[] = {1, 2, 3, 4, 5};
    midi.addEvent(juce::MidiMessage::controllerEvent(1, 64, 127), 0);
    midi.addEvent(juce::MidiMessage::createSysExMessage(text, sizeof text), block / 2);
    return midi;
}

void check(const char* name) {
    Processor processor(*find_instrument(name));
    processor.enableAllBuses();
    processor.setNonRealtime(false);
    processor.prepareToPlay(48000.0, 256);
    Transport transport;
    processor.setPlayHead(&transport);
    const int channels = std::max(processor.getTotalNumInputChannels(), processor.getTotalNumOutputChannels());
    juce::AudioBuffer<float> audio(channels, 256);
    const juce::MidiBuffer notes = played(256);
    juce::MidiBuffer midi;
    midi.ensureSize(1 << 16); // hosts bring room of their own
    for (int block = 0; block < 200; ++block) {
        for (int c = 0; c < channels; ++c)
            for (int i = 0; i < 256; ++i)
                audio.setSample(c, i, 0.1f * std::sin(0.01f * static_cast<float>(256 * block + i)));
        midi.clear();
        if (block % 3 == 0) midi.addEvents(notes, 0, 256, 0);
        if (block == 150) transport.at = 0; // a jump
        {
            const terzetto::test::RealtimeWatch watch;
            if (block % 50 < 40)
                processor.processBlock(audio, midi);
            else
                processor.processBlockBypassed(audio, midi);
            if (block == 100) processor.reset();
        }
        transport.at += 256;
    }
    expect(processor.instance().prepared(), name, "not prepared: nothing was checked");
    processor.setPlayHead(nullptr);
    processor.releaseResources();
}

} // namespace

int main() {
    const juce::ScopedJuceInitialiser_GUI juce_lives;
    for (const char* name : {"hands", "drums", "timbre"}) check(name);
#ifndef TERZETTO_WATCHES_REALTIME
    std::puts("plugin_processor_selftest: this system's library cannot be watched");
#endif
    if (failures == 0) std::puts("plugin_processor_selftest: all good");
    return failures == 0 ? 0 : 1;
}
