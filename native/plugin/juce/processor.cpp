// SPDX-License-Identifier: GPL-3.0-or-later
#include "processor.hpp"

#include "editor.hpp"

#include <cmath>

namespace terzetto::plugin {

namespace {

constexpr double kRounding = 16.0; // frames by which a position in quarter notes may be off

} // namespace

juce::AudioProcessor::BusesProperties Processor::buses(const InstrumentInfo& instrument) {
    const auto stereo = juce::AudioChannelSet::stereo();
    const auto out = BusesProperties().withOutput("Output", stereo, true);
    return instrument.plays ? out : out.withInput("Input", stereo, true);
}

Processor::Processor(const InstrumentInfo& instrument)
    : AudioProcessor(buses(instrument)), instance_(instrument, *this) {
    for (std::uint32_t i = 0; i < instrument.count; ++i) {
        parameters_.push_back(new HostParameter(instance_.parameters(), i));
        addParameter(parameters_.back());
    }
    addParameter(bypass_ = new juce::AudioParameterBool({"bypass", 1}, "Bypass", false));
}

Processor::~Processor() {
    setIComponentHandler(nullptr);
    instance_.release(); // ends the thread that calls this listener
    cancelPendingUpdate();
}

HostParameter* Processor::parameter(std::string_view name) {
    const int found = instance_.parameters().find(name);
    return found < 0 ? nullptr : parameters_[static_cast<std::size_t>(found)];
}

bool Processor::isBusesLayoutSupported(const BusesLayout& layouts) const {
    const juce::AudioChannelSet in = layouts.getMainInputChannelSet(), out = layouts.getMainOutputChannelSet();
    if (in != out && !(plays() && in.isDisabled())) return false;
    if (out == juce::AudioChannelSet::stereo()) return true;
    // A VST3 that agrees to mono gets silence from Ardour 7.3; one that does not, the sound on its left side.
    return out == juce::AudioChannelSet::mono() && !(host_.isArdour() && wrapperType == wrapperType_VST3);
}

void Processor::prepareToPlay(double sample_rate, int block) {
    const std::lock_guard<std::mutex> hold(preparing_);
    told_ = {};
    Stream stream;
    stream.sample_rate = sample_rate;
    stream.channels = static_cast<std::uint32_t>(juce::jlimit(1, 2, getTotalNumOutputChannels()));
    stream.block = static_cast<std::uint32_t>(juce::jmax(1, block));
    stream.realtime = !isNonRealtime();
    instance_.prepare(stream);
    report_latency();
    tell_meters();
}

void Processor::setIComponentHandler(Steinberg::FUnknown* handler) {
    if (vst3_host_) vst3_host_->release();
    vst3_host_ = nullptr;
    void* found = nullptr;
    if (handler && handler->queryInterface(Steinberg::Vst::IComponentHandler_iid, &found) == Steinberg::kResultOk)
        vst3_host_ = static_cast<Steinberg::Vst::IComponentHandler*>(found);
}

void Processor::report_latency() {
    if (static_cast<int>(instance_.latency()) == getLatencySamples()) return;
    setLatencySamples(static_cast<int>(instance_.latency()));
    // JUCE tells a VST3 host from the plugin's message thread, later. A host that renders in a loop of its own has
    // asked just before it prepared the plugin, and would compensate the latency of the last render.
    if (isNonRealtime() && vst3_host_) vst3_host_->restartComponent(Steinberg::Vst::kLatencyChanged);
}

void Processor::releaseResources() {
    const std::lock_guard<std::mutex> hold(preparing_);
    instance_.rest();
}

bridge::Transport Processor::transport(int block) {
    if (told_.playing != 0) {
        told_.position += told_block_;
        told_.quarters += told_block_ * told_.tempo / (60.0 * instance_.stream().sample_rate);
    }
    told_block_ = block;
    bridge::Transport transport;
    juce::AudioPlayHead* head = getPlayHead();
    if (!head) return transport;
    const auto position = head->getPosition();
    // An LV2 is told only what changes (Ardour at blocks of 64), and JUCE forgets it with the block.
    if (!position) return wrapperType == wrapperType_LV2 ? told_ : transport;
    transport.tempo = position->getBpm().orFallback(0.0);
    transport.playing = position->getIsPlaying() ? 1 : 0;
    transport.quarters = position->getPpqPosition().orFallback(transport.quarters);
    if (const auto frames = position->getTimeInSamples()) {
        transport.position = *frames;
        transport.known = 1;
        // Before the song's beginning Ardour tells a VST3 position 0 again and again; its quarter notes count. They
        // are exact to some frames only, but the pre-roll begins whole blocks before the song.
        const double quarters = position->getPpqPosition().orFallback(0.0);
        if (host_.isArdour() && quarters < 0.0 && *frames == 0 && transport.tempo > 0.0) {
            const double about = quarters * 60.0 / transport.tempo * instance_.stream().sample_rate;
            const double unit = instance_.stream().block, whole = std::round(about / unit) * unit;
            transport.position = std::llround(std::abs(about - whole) <= kRounding ? whole : about);
        }
    }
    return told_ = transport;
}

void Processor::processBlock(juce::AudioBuffer<float>& audio, juce::MidiBuffer& midi) {
    process(audio, midi, bypass_->get());
}

void Processor::processBlockBypassed(juce::AudioBuffer<float>& audio, juce::MidiBuffer& midi) {
    process(audio, midi, true);
}

void Processor::process(juce::AudioBuffer<float>& audio, juce::MidiBuffer& midi, bool bypass) {
    const juce::ScopedNoDenormals no_denormals;
    if (!instance_.prepared() || audio.getNumChannels() < static_cast<int>(instance_.stream().channels)) return;
    Block block;
    block.realtime = !isNonRealtime();
    block.bypass = bypass;
    block.transport = transport(audio.getNumSamples());
    block.transport_of_output = host_.isArdour();
    for (const auto item : midi) {
        if (block.note_count == notes_.size() || item.numBytes != 3) continue;
        const juce::uint8* data = item.data;
        const int kind = data[0] & 0xf0;
        if (kind != 0x90 && kind != 0x80) continue;
        notes_[block.note_count++] = {static_cast<std::uint32_t>(juce::jmax(0, item.samplePosition)), data[1],
                                      kind == 0x90 ? data[2] : juce::uint8{0},
                                      static_cast<juce::uint8>((data[0] & 0x0f) + 1)};
    }
    block.notes = notes_.data();
    if (plays()) audio.clear(); // what is in there came from nowhere
    instance_.process(audio.getArrayOfWritePointers(), static_cast<std::uint32_t>(audio.getNumSamples()), block);
    if (plays()) {
        midi.clear();
        const Note* notes = instance_.notes_out();
        for (std::uint32_t i = 0; i < instance_.notes_out_count(); ++i) {
            const Note& note = notes[i];
            const auto channel = static_cast<juce::uint8>(note.channel - 1);
            const juce::uint8 bytes[3] = {static_cast<juce::uint8>((note.velocity > 0 ? 0x90 : 0x80) | channel),
                                          note.pitch, note.velocity};
            midi.addEvent(bytes, 3, static_cast<int>(note.frame));
        }
    }
    if (!block.realtime) tell_meters(); // a host that renders may have no message thread that runs
}

void Processor::tell_meters() {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        HostParameter& meter = *parameters_[i];
        if (!meter.info().meter || meter.plain() == meters_told_[i]) continue;
        meters_told_[i] = meter.plain();
        meter.sendValueChangedMessageToListeners(meter.getValue());
    }
}

void Processor::handleAsyncUpdate() {
    const std::uint64_t told = instance_.parameters().take_told();
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        if ((told >> i & 1) == 0) continue;
        parameters_[i]->beginChangeGesture();
        parameters_[i]->setValueNotifyingHost(parameters_[i]->getValue());
        parameters_[i]->endChangeGesture();
    }
    if (isNonRealtime()) return; // what renders is told on its own thread, at its own time
    tell_meters();
    if (state_due_.exchange(false)) updateHostDisplay(ChangeDetails().withNonParameterStateChanged(true));
    const std::unique_lock<std::mutex> hold(preparing_, std::try_to_lock);
    if (!hold.owns_lock() || !instance_.prepared()) return;
    const HostParameter* low_latency = parameter("low_latency");
    if (low_latency && (low_latency->plain() > 0.5f) != instance_.stream().low_latency) {
        suspendProcessing(true);
        instance_.prepare(instance_.stream(), false);
        suspendProcessing(false);
    }
    report_latency();
}

void Processor::getStateInformation(juce::MemoryBlock& state) {
    const std::string text = instance_.state();
    state.replaceAll(text.data(), text.size());
}

void Processor::setStateInformation(const void* data, int bytes) {
    instance_.set_state({static_cast<const char*>(data), static_cast<std::size_t>(juce::jmax(0, bytes))});
    for (HostParameter* parameter : parameters_) parameter->sendValueChangedMessageToListeners(parameter->getValue());
}

juce::AudioProcessorEditor* Processor::createEditor() {
    return new Editor(*this);
}

} // namespace terzetto::plugin
