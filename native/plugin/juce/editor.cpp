#include "editor.hpp"
