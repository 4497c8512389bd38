#include "gateway/base/time.h"

namespace tidegate {

Now read_clock() {
  using std::chrono::duration_cast;
  return {Instant{duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch())},
          WallTime{duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch())}};
}

}  // namespace tidegate
