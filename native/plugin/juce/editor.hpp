// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "processor.hpp"
namespace terzetto::plugin {
class Editor final : public juce::AudioProcessorEditor {
public:
    explicit Editor(Processor& processor) : AudioProcessorEditor(processor) { setSize(400, 300); }
};
} // namespace terzetto::plugin
