// SPDX-License-Identifier: GPL-3.0-or-later
// An instance as a JUCE processor: VST3, LV2 and AU come from it.
#pragma once

#include "host_parameter.hpp"
#include "instance.hpp"

#include <pluginterfaces/vst/ivsteditcontroller.h>

#include <array>
#include <limits>
#include <mutex>
#include <vector>

namespace terzetto::plugin {

class Processor final : public juce::AudioProcessor,
                        public juce::VST3ClientExtensions,
                        private Listener,
                        private juce::AsyncUpdater {
public:
    explicit Processor(const InstrumentInfo& instrument);
    ~Processor() override;

    Instance& instance() { return instance_; }
    HostParameter* parameter(std::string_view name); // nullptr: the instrument has none of that name

    const juce::String getName() const override { return juce::String::fromUTF8(instance_.instrument().title); }
    // Ardour connects nothing, not even the transport, to an LV2 on an audio track that takes MIDI.
    bool acceptsMidi() const override { return plays() || wrapperType != wrapperType_LV2; }
    bool producesMidi() const override { return plays(); }
    // What plays by itself has no end: no host may send it to sleep.
    double getTailLengthSeconds() const override { return plays() ? std::numeric_limits<double>::infinity() : 0.0; }
    bool isBusesLayoutSupported(const BusesLayout& layouts) const override;
    void prepareToPlay(double sample_rate, int block) override;
    void releaseResources() override;
    void reset() override { instance_.reset(); }
    void processBlock(juce::AudioBuffer<float>& audio, juce::MidiBuffer& midi) override;
    void processBlockBypassed(juce::AudioBuffer<float>& audio, juce::MidiBuffer& midi) override;
    juce::AudioProcessorParameter* getBypassParameter() const override { return bypass_; }

    void setIComponentHandler(Steinberg::FUnknown* handler) override;

    bool hasEditor() const override { return true; }
    juce::AudioProcessorEditor* createEditor() override;
    int getNumPrograms() override { return 1; }
    int getCurrentProgram() override { return 0; }
    void setCurrentProgram(int) override {}
    const juce::String getProgramName(int) override { return {}; }
    void changeProgramName(int, const juce::String&) override {}
    void getStateInformation(juce::MemoryBlock& state) override;
    void setStateInformation(const void* data, int bytes) override;

private:
    static BusesProperties buses(const InstrumentInfo& instrument);
    bool plays() const { return instance_.instrument().plays; }
    using AudioProcessor::processBlock;
    using AudioProcessor::processBlockBypassed;

    void process(juce::AudioBuffer<float>& audio, juce::MidiBuffer& midi, bool bypass);
    bridge::Transport transport(int block); // of a block of so many frames
    bridge::Transport told_;
    int told_block_ = 0; // frames since
    void report_latency();
    void tell_meters();

    // On the keeper's thread.
    void latency_changed() override { triggerAsyncUpdate(); }
    void parameters_changed() override { triggerAsyncUpdate(); }
    void state_changed() override { state_due_ = true; }
    // On the message thread.
    void handleAsyncUpdate() override;

    std::vector<HostParameter*> parameters_; // owned by AudioProcessor
    juce::AudioParameterBool* bypass_ = nullptr;
    std::array<float, kMaxParameters> meters_told_{};
    std::array<Note, 512> notes_{};
    const juce::PluginHostType host_;
    Steinberg::Vst::IComponentHandler* vst3_host_ = nullptr;
    std::mutex preparing_;
    std::atomic<bool> state_due_{false};
    Instance instance_;
};

} // namespace terzetto::plugin
