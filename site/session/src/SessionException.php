<?php

declare(strict_types=1);

namespace Cordee\Session;

/** A session could not be read or kept. The request must not go on as if it were empty. */
class SessionException extends \RuntimeException
{
}
