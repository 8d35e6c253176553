<?php

declare(strict_types=1);

namespace Cordee\Session;

/** Another request of the same session has held it for longer than `lock_wait`. */
final class Busy extends Unavailable
{
}
