// SPDX-License-Identifier: GPL-3.0-or-later
#include "voice_pad.hpp"

#include "score_panel.hpp"

namespace terzetto::plugin {

namespace {

constexpr int kChoices = 24, kGap = 4;
constexpr float kPadSource = 1.0f; // of <voice>_source: kit, pad

juce::String name_of(const HostParameter& across) {
    return juce::String::fromUTF8(across.info().title).upToLastOccurrenceOf(" ", false, false);
}

} // namespace

bool VoicePad::has(Processor& processor, const std::string& voice) {
    return processor.parameter(voice + "_x") && processor.parameter(voice + "_y") &&
           processor.parameter(voice + "_source");
}

VoicePad::VoicePad(Processor& processor, std::string voice)
    : processor_(processor), voice_(std::move(voice)), source_(*processor.parameter(voice_ + "_source")),
      pad_(*processor.parameter(voice_ + "_x"), *processor.parameter(voice_ + "_y"),
           name_of(*processor.parameter(voice_ + "_x"))),
      from_(source_, false) {
    pad_.on_move = [this] {
        if (source_.plain() == kPadSource) return;
        source_.beginChangeGesture();
        source_.set_plain(kPadSource);
        source_.endChangeGesture();
        refresh();
    };
    addAndMakeVisible(pad_);
    addAndMakeVisible(from_);
    refresh();
}

void VoicePad::refresh() {
    pad_.set_counting(source_.plain() == kPadSource);
    pad_.refresh();
    from_.refresh();
}

void VoicePad::resized() {
    auto area = getLocalBounds();
    from_.setBounds(area.removeFromBottom(kChoices));
    pad_.setBounds(area.withTrimmedBottom(kGap));
}

bool VoicePad::isInterestedInFileDrag(const juce::StringArray& files) {
    return files.size() == 1 && juce::File(files[0]).hasFileExtension(juce::String(".toml;") + kRecordings);
}

void VoicePad::filesDropped(const juce::StringArray& files, int, int) {
    const bool kit = juce::File(files[0]).hasFileExtension(".toml");
    if (kit)
        processor_.instance().ask("kit", files[0].toStdString());
    else
        processor_.instance().ask("sample", files[0].toStdString(), voice_);
}

} // namespace terzetto::plugin
