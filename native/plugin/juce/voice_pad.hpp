// SPDX-License-Identifier: GPL-3.0-or-later
// A voice of the kit: its pad of sounds, and whether it sounds so or as the kit has it. A sound file that is dropped
// here becomes the kit's sound; a kit (.toml), the kit.
#pragma once

#include "pad.hpp"
#include "processor.hpp"

namespace terzetto::plugin {

class VoicePad final : public Control, public juce::FileDragAndDropTarget {
public:
    // `voice` as the messages have it, such as open_hat. Its parameters are <voice>_x, _y and _source.
    VoicePad(Processor& processor, std::string voice);
    static bool has(Processor& processor, const std::string& voice);

    void refresh() override;
    void resized() override;

    bool isInterestedInFileDrag(const juce::StringArray& files) override;
    void filesDropped(const juce::StringArray& files, int x, int y) override;

private:
    Processor& processor_;
    const std::string voice_;
    HostParameter& source_;
    Pad pad_;
    Choices from_;
};

} // namespace terzetto::plugin
