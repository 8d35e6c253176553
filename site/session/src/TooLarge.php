<?php

declare(strict_types=1);

namespace Cordee\Session;

/** More data than the column, or a packet of the database, holds. What was stored before is kept. */
final class TooLarge extends SessionException
{
}
