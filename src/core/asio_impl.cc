// Asio's one compiled unit (BOOST_ASIO_SEPARATE_COMPILATION): every other unit only declares.
#include "core/asio.h"

#include <boost/asio/impl/src.hpp>
