<?php

declare(strict_types=1);

namespace Cordee\Session;

/** The row is not the one that was read: it went or changed although it was locked, or a new id was there already. */
final class Conflict extends SessionException
{
}
