<?php

declare(strict_types=1);

namespace Cordee\Session;

/** The database is away, or takes no writes now. Answer 503 with `Retry-After`; the same request may succeed soon. */
class Unavailable extends SessionException
{
}
